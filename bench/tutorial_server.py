"""The server of tutorials, for comparison: Flask, and one `keras.Model.predict` per request.

python bench/tutorial_server.py MODEL.keras PORT
"""

import sys

import keras
import numpy as np
from flask import Flask, Response, jsonify, request
from PIL import Image, ImageOps

app = Flask(__name__)
model = keras.models.load_model(sys.argv[1])


@app.get("/health")
def health() -> Response:
    return jsonify({"status": "ok", "model_loaded": True})


@app.post("/predict")
def predict() -> Response:
    picture = Image.open(request.files["file"].stream).convert("L").resize((28, 28))
    if np.asarray(picture).mean() > 127:
        picture = ImageOps.invert(picture)
    pixels = np.asarray(picture, np.float32).reshape(1, 28, 28, 1) / 255
    probs = model.predict(pixels, verbose=0)[0]
    best = int(probs.argmax())
    return jsonify({"prediction": best, "confidence": float(probs[best]), "probs": [float(p) for p in probs]})


if __name__ == "__main__":
    # With threads the process once exited by itself; the cause is unknown.
    app.run(port=int(sys.argv[2]), threaded=False)
