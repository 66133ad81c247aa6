"""The report: its page, its contents, images with labels drawn over them."""
