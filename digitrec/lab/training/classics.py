"""scikit-learn's classifiers that are trained by name; `digitrec.models.skopsfile` keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def knn(seed: int = 0) -> ClassifierMixin:
    """The three nearest of the digits learned, the nearer the weightier; `seed` decides nothing here."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3, weights="distance", algorithm="brute")


def random_forest(seed: int = 0) -> ClassifierMixin:
    """Three hundred trees, on all cores."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, random_state=seed, n_jobs=-1)


def svm(seed: int = 0) -> ClassifierMixin:
    """A support vector machine with a Gaussian kernel; `seed` decides nothing here."""
    from sklearn.svm import SVC

    return SVC(C=10.0, gamma="scale", cache_size=1000)
