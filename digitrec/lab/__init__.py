"""Train, draw and evaluate: what nobody needs who only reads digits."""
