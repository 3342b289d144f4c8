"""torch: a layer's counterpart built, its symbolic shapes read, and our rules proved equal to them."""
