"""Room: what a run did in; metrics, alerts, benchmark and evaluation out."""
