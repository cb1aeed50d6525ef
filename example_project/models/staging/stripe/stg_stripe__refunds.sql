with

source as (

    select * from {{ source('stripe', 'refunds') }}

),

renamed as (

    select
        id as refund_id,
        charge as charge_id,
        {{ cents_to_amount('amount') }} as amount,
        currency,
        reason as refund_reason,
        status as refund_status,
        receipt_number,
        created as created_at

    from source

)

select * from renamed
