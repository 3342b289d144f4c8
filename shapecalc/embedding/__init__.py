"""Documents whose tables and figures are the output of commands in their markers. Internal."""
