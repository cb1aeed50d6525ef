"""Room: a project's artifacts and files in; a Project out, its lineage as `sql` reads it, seeds as `tables` does."""
