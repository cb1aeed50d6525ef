with

source as (

    select * from {{ source('stripe', 'customers') }}

),

renamed as (

    select
        id as customer_id,
        email,
        name as customer_name,
        phone as phone_number,
        currency,
        {{ cents_to_amount('balance') }} as balance,
        delinquent as is_delinquent,
        default_source as default_payment_method_id,
        address_city as city,
        address_postal_code as postal_code,
        address_country as country_code,
        created as created_at

    from source
    where livemode

)

select * from renamed
