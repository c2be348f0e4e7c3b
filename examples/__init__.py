"""Applications to try the server with: alsvid examples.NAME:app"""
