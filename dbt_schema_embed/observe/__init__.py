"""Room: what a run did and answered in; metrics, alerts and evaluation out."""
