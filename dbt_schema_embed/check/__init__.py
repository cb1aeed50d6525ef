"""Room: a project and its mapping files in; problems out."""
