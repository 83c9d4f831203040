"""What an assistant may ask of what is stored, over the Model Context Protocol."""
