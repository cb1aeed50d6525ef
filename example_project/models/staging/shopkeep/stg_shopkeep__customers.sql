with

source as (

    select * from {{ source('shopkeep', 'cust') }}

),

renamed as (

    select
        cust_no as customer_id,
        cust_nm as customer_name,
        cust_eml as email,
        cust_tel as phone_number,
        cust_typ_cd as customer_type,
        addr_ln_1 as address_line_1,
        addr_city as city,
        addr_zip as postal_code,
        addr_ctry_cd as country_code,
        mkt_optin_flg = 'Y' as is_newsletter_subscriber,
        del_flg = 'Y' as is_deleted,
        cast(crt_dt as timestamp) as created_at,
        cast(upd_dt as timestamp) as updated_at

    from source

)

select * from renamed
