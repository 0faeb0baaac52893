"""Linear models of per-sample scores on the dataset's own design, with a random intercept of the donor where needed.

A fit holds what every question about it needs: estimates of contrasts, their joint covariance and degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, polygamma, psi, stdtr, stdtrit  # scipy.stats takes a second to load

from exoliver.random_intercept import Components, fit_random_intercept

MIN_SETS = 20  # fewer variances say too little about their spread
ROUNDED = 9  # decimals of degrees of freedom: whole numbers are whole
FEW = 1e-8  # a spread of the variances below it is none


@dataclass(frozen=True)
class LinearFit:
    """Several scores (k) on one design of n samples and p columns.

    Parameters
    ----------
    coefficients
        Shape (k, p).
    covariance
        Of the coefficients, shape (k, p, p).
    gradients
        Derivative of that covariance to each of the m variance components, shape (k, m, p, p).
    uncertainty
        Covariance of the estimated variance components, shape (k, m, m).
    hat
        What the coefficients are of the scores, shape (k, p, n).
    variance
        Variance of a sample around its cell, shape (k,).
    df
        Samples minus columns.
    correlation
        Of the samples of one donor, shape (k,); zeros where samples are independent.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    gradients: np.ndarray
    uncertainty: np.ndarray
    hat: np.ndarray
    variance: np.ndarray
    df: int
    correlation: np.ndarray


@dataclass(frozen=True)
class Estimates:
    """Contrasts (q) of each score (k): estimates (k, q), joint covariance (k, q, q), degrees of freedom (k, q)."""

    estimate: np.ndarray
    covariance: np.ndarray
    df: np.ndarray

    @property
    def se(self) -> np.ndarray:
        """Standard errors, shape (k, q)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def pvalue(self) -> np.ndarray:
        """Two-sided t tests, shape (k, q); NaN where a score has no noise."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.se > 0, 2 * stdtr(self.df, -np.abs(self.estimate) / self.se), np.nan)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the t intervals at a level such as .95, shapes (k, q)."""
        half = stdtrit(self.df, 0.5 + level / 2) * self.se
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True)
class JointTest:
    """Several contrasts tested at once, score by score; arrays of shape (k,)."""

    stat: np.ndarray
    df: int
    df_residual: np.ndarray
    pvalue: np.ndarray


@dataclass(frozen=True)
class Prior:
    """What the residual variances of all scores say about that of one: a variance that is worth `df` observations."""

    variance: float
    df: float


def fit_linear(scores: np.ndarray, design: np.ndarray, *, donors: np.ndarray | None = None) -> LinearFit:
    """Scores (n, k) on a design (n, p) of full rank.

    Parameters
    ----------
    scores
        A score that is NaN in a sample has NaN everywhere.
    design
        Cells, donors that are in several of them, and covariates.
    donors
        Donor of each sample, where donors have several samples and are not in the design: samples of one donor are
        correlated, each score has its own correlation by restricted maximum likelihood. None: ordinary least squares.

    Raises
    ------
    ValueError
        There are no residual degrees of freedom, or not one within and one between donors.
    """
    df = design.shape[0] - design.shape[1]
    if df < 1:
        raise ValueError("a linear model needs residual degrees of freedom")
    fits = _ordinary(scores, design) if donors is None else fit_random_intercept(scores, design, donors=donors)
    return LinearFit(
        coefficients=np.einsum("kpn,nk->kp", fits.hat, scores),
        covariance=fits.covariance,
        gradients=fits.gradients,
        uncertainty=fits.uncertainty,
        hat=fits.hat,
        variance=fits.variance,
        df=df,
        correlation=fits.correlation,
    )


def _ordinary(scores: np.ndarray, design: np.ndarray) -> Components:
    """Independent samples: one variance component, whose estimate has a relative variance of 2 / df."""
    count, (samples, columns) = scores.shape[1], design.shape
    unscaled = np.linalg.inv(design.T @ design)
    hat = unscaled @ design.T
    variance = ((scores - design @ (hat @ scores)) ** 2).sum(axis=0) / (samples - columns)
    return Components(
        covariance=variance[:, None, None] * unscaled,
        gradients=np.broadcast_to(unscaled, (count, 1, columns, columns)),
        uncertainty=(2 * variance**2 / (samples - columns))[:, None, None],
        hat=np.broadcast_to(hat, (count, columns, samples)),
        variance=variance,
        correlation=np.zeros(count),
    )


def estimate_prior(variance: np.ndarray, df: int) -> Prior:
    """The distribution that the true variances of several scores are drawn from, seen through their estimates.

    Parameters
    ----------
    variance
        Residual variances, each on `df` degrees of freedom; those without noise are left out.

    Returns
    -------
    A prior worth no observation (df 0) where there are fewer than `MIN_SETS`; an infinite df where the variances differ
    no more than by chance.

    References
    ----------
    Smyth (2004), 10.2202/1544-6115.1027, section 6.2.
    """
    known = variance[np.isfinite(variance) & (variance > 0)]
    if len(known) < MIN_SETS:
        return Prior(np.nan, 0.0)
    logs = np.log(known) - psi(df / 2) + np.log(df / 2)
    spread = float(logs.var(ddof=1) - polygamma(1, df / 2))
    if spread <= FEW:
        return Prior(float(np.exp(logs.mean())), np.inf)
    prior_df = 2 * inverse_trigamma(spread)
    return Prior(float(np.exp(logs.mean() + psi(prior_df / 2) - np.log(prior_df / 2))), prior_df)


def inverse_trigamma(value: float) -> float:
    """The x with trigamma(x) = value, by Newton's method on 1 / trigamma, which is nearly linear.

    References
    ----------
    Smyth (2004), 10.2202/1544-6115.1027, appendix.
    """
    x = 0.5 + 1 / value
    for _ in range(60):
        trigamma = polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / polygamma(2, x)
        x += step
        if -step / x < 1e-10:
            break
    return float(x)


def moderate(fit: LinearFit, prior: Prior) -> LinearFit:
    """The fit with variances drawn towards their common prior.

    Parameters
    ----------
    fit
        Of independent samples.
    prior
        Of `estimate_prior`, of these scores or of more.

    Returns
    -------
    The degrees of freedom are those of fit and prior together, at most those of all scores together.

    References
    ----------
    Smyth (2004), 10.2202/1544-6115.1027, equation for the posterior variance.
    """
    if prior.df == 0 or fit.gradients.shape[1] > 1:
        return fit
    variance = draw_variances(fit.variance, prior, df=fit.df)
    total = min(prior.df + fit.df, fit.df * len(fit.variance))
    return replace(
        fit,
        covariance=variance[:, None, None] * fit.gradients[:, 0],
        uncertainty=(2 * variance**2 / total)[:, None, None],
        variance=variance,
    )


def draw_variances(variance: np.ndarray, prior: Prior, *, df: int) -> np.ndarray:
    """Residual variances, each on `df` degrees of freedom, drawn towards their prior; NaN stays NaN."""
    if prior.df == 0:
        return variance
    if np.isinf(prior.df):
        return prior.variance + 0 * variance
    return np.asarray((prior.df * prior.variance + df * variance) / (prior.df + df))


def rescale(fit: LinearFit, factors: np.ndarray) -> LinearFit:
    """The fit of scores that are multiplied by factors, shape (k,); degrees of freedom stay."""
    square = (factors**2)[:, None, None]
    return replace(
        fit,
        coefficients=fit.coefficients * factors[:, None],
        covariance=fit.covariance * square,
        gradients=fit.gradients * square[:, None],
        hat=fit.hat * factors[:, None, None],
        variance=fit.variance * factors**2,
    )


def estimate_linear(fit: LinearFit, rows: np.ndarray) -> Estimates:
    """Contrasts of every score, with their joint covariance.

    Parameters
    ----------
    rows
        Weights of the design's columns, shape (q, p).

    Returns
    -------
    Degrees of freedom by Satterthwaite's method: those of the residuals where samples are independent.

    References
    ----------
    Satterthwaite (1946), 10.2307/3002019; Kuznetsova, Brockhoff, Christensen (2017), 10.18637/jss.v082.i13, section 2.
    """
    covariance = rows @ fit.covariance @ rows.T
    return Estimates(fit.coefficients @ rows.T, covariance, _degrees_of_freedom(fit, rows[None], covariance))


def _degrees_of_freedom(fit: LinearFit, rows: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Satterthwaite's, shape (k, q), of rows (k or 1, q, p) with their covariance (k, q, q)."""
    wide = np.broadcast_to(rows, (len(covariance), *rows.shape[1:]))
    gradients = np.einsum("kqp,kmpr,kqr->kqm", wide, fit.gradients, wide, optimize=True)
    spread = np.einsum("kqm,kml,kql->kq", gradients, fit.uncertainty, gradients)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2 * np.diagonal(covariance, axis1=1, axis2=2) ** 2 / spread
    return np.asarray(np.round(df, ROUNDED))


def joint_test(fit: LinearFit, rows: np.ndarray) -> JointTest:
    """F test that several contrasts are all zero, score by score.

    Parameters
    ----------
    rows
        Independent contrasts, shape (q, p).

    Raises
    ------
    ValueError
        The rows depend on each other.

    References
    ----------
    Fai, Cornelius (1996), 10.1080/00949659608811740, for the denominator's degrees of freedom; they are those of the
    residuals where samples are independent.
    """
    if np.linalg.matrix_rank(rows) < len(rows):
        raise ValueError("contrasts that are tested jointly depend on each other")
    estimate, covariance = fit.coefficients @ rows.T, rows @ fit.covariance @ rows.T
    known = np.isfinite(covariance).all(axis=(1, 2)) & (np.diagonal(covariance, axis1=1, axis2=2) > 0).all(axis=1)
    stat, residual = np.full(len(estimate), np.nan), np.full(len(estimate), np.nan)
    if known.any():
        values, vectors = np.linalg.eigh(covariance[known])
        turned = np.einsum("kqr,kq->kr", vectors, estimate[known])
        stat[known] = (turned**2 / values).mean(axis=1)
        part = select_scores(fit, known)
        own = np.einsum("kqr,qp->krp", vectors, rows)
        residual[known] = _pooled_df(_degrees_of_freedom(part, own, own @ part.covariance @ own.swapaxes(1, 2)))
    return JointTest(stat, len(rows), residual, fdtrc(len(rows), residual, stat))


def select_scores(fit: LinearFit, chosen: np.ndarray) -> LinearFit:
    """The fit of some of the scores, by position or by truth."""
    arrays = ("coefficients", "covariance", "gradients", "uncertainty", "hat", "variance", "correlation")
    return replace(fit, **{name: getattr(fit, name)[chosen] for name in arrays})


def _pooled_df(df: np.ndarray) -> np.ndarray:
    """One denominator for contrasts (k, q) with degrees of freedom of their own; the smallest where there is none."""
    count = df.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(df > 2, df / (df - 2), 0.0).sum(axis=1)
        pooled = 2 * expected / (expected - count)
    is_alike = np.ptp(df, axis=1) <= 1e-6 * df.min(axis=1)
    return np.where(is_alike | (df <= 2).any(axis=1) | (expected <= count), df.min(axis=1), pooled)
