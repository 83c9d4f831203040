"""What files say, and the process that reads them."""
