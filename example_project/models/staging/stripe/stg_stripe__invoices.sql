with

source as (

    select * from {{ source('stripe', 'invoices') }}

),

renamed as (

    select
        id as invoice_id,
        customer as customer_id,
        subscription as subscription_id,
        number as invoice_number,
        {{ cents_to_amount('amount_due') }} as amount_due,
        {{ cents_to_amount('amount_paid') }} as amount_paid,
        {{ cents_to_amount('amount_remaining') }} as amount_remaining,
        currency,
        status as invoice_status,
        attempted as is_attempted,
        paid as is_paid,
        created as created_at,
        due_date as due_at,
        period_start as period_started_at,
        period_end as period_ended_at

    from source
    where livemode

)

select * from renamed
