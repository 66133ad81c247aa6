"""Sources of crystals: files of the user, public sets, prototypes and superlattices."""
