"""scikit-learn's classifiers that are trained by name; `digitrec.models.skopsfile` keeps them."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC


def knn(seed: int = 0) -> ClassifierMixin:
    """Return the three nearest neighbours, weighted by distance; `seed` is not used."""
    return KNeighborsClassifier(3, weights="distance", algorithm="brute")


def random_forest(seed: int = 0) -> ClassifierMixin:
    """Return three hundred trees, on all cores."""
    return RandomForestClassifier(300, random_state=seed, n_jobs=-1)


def svm(seed: int = 0) -> ClassifierMixin:
    """Return a support vector machine with a Gaussian kernel; `seed` is not used."""
    return SVC(C=10.0, gamma="scale", cache_size=1000)
