"""Room: the SQL of models in; which column feeds which out."""
