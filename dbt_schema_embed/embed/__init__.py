"""Room: columns in; vectors out, each distinct text encoded once and remembered."""
