"""The interactive HTML page of a network, computed in the browser from closed forms. Internal."""
