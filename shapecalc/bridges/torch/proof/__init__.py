"""Our rules proved equal to torch's symbolic shapes; a built network against its report. Internal."""
