with

shop_customers as (

    select * from {{ ref('stg_shopkeep__customers') }}
    where not is_deleted

),

payers as (

    select * from {{ ref('stg_stripe__customers') }}

),

reviews as (

    select
        customer_id,
        count(*) as review_count

    from {{ ref('stg_shopkeep__product_reviews') }}
    group by customer_id

)

select
    shop_customers.customer_id,
    payers.customer_id as stripe_customer_id,
    shop_customers.customer_name,
    shop_customers.email,
    shop_customers.country_code,
    shop_customers.is_newsletter_subscriber,
    payers.is_delinquent,
    coalesce(reviews.review_count, 0) as review_count,
    shop_customers.created_at as customer_since

from shop_customers
left join payers on shop_customers.email = payers.email
left join reviews on shop_customers.customer_id = reviews.customer_id
