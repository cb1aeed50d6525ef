"""Room: vectors in; nearest columns out."""
