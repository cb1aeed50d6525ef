with

source as (

    select * from {{ source('shopkeep', 'prod') }}

),

renamed as (

    select
        prod_no as product_id,
        prod_nm as product_name,
        prod_dsc as product_description,
        cat_cd as category_code,
        unt_prc as unit_price,
        unt_cst as unit_cost,
        wgt_g as weight_grams,
        act_flg = 'Y' as is_active,
        cast(crt_dt as timestamp) as created_at,
        cast(upd_dt as timestamp) as updated_at

    from source

)

select * from renamed
