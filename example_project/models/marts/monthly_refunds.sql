select
    date_trunc('month', created_at) as refund_month,
    currency,
    refund_reason,
    count(*) as refund_count,
    sum(amount) as refunded_amount

from {{ ref('stg_stripe__refunds') }}
where refund_status = 'succeeded'
group by 1, 2, 3
