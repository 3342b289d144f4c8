"""Our rules proved equal to torch's own symbolic shapes, and a built network run against its report."""
