with

source as (

    select * from {{ source('shopkeep', 'product_reviews') }}

),

renamed as (

    select
        "reviewId" as review_id,
        "prodNo" as product_id,
        "custNo" as customer_id,
        "starRating" as rating,
        headline as review_title,
        "bodyText" as review_text,
        "verifiedPurchase" as is_verified_purchase,
        "helpfulVotes" as helpful_vote_count,
        created as created_at

    from source

)

select * from renamed
