//! The largest value of a smooth function of a few variables.

/// Where `f` is largest: a simplex search (Nelder and Mead 1965) begun again from its own end until that no longer helps.
/// `None` if `f` is nowhere finite. Nothing is drawn by chance.
pub(super) fn maximum<const K: usize>(
    starts: &[[f64; K]],
    f: impl Fn(&[f64; K]) -> f64,
) -> Option<([f64; K], f64)> {
    let loss = |x: &[f64; K]| {
        let y = -f(x);
        if y.is_finite() { y } else { f64::MAX }
    };
    let mut best: Option<([f64; K], f64)> = None;
    for start in starts {
        let mut from = (*start, loss(start));
        for _ in 0..8 {
            let to = simplex(from.0, &loss);
            let gained = from.1 - to.1;
            from = to;
            if gained.abs() <= 1e-9 * (1.0 + from.1.abs()) {
                break;
            }
        }
        if from.1 < f64::MAX && best.is_none_or(|b| from.1 < b.1) {
            best = Some(from);
        }
    }
    best.map(|(x, y)| (x, -y))
}

fn simplex<const K: usize>(start: [f64; K], loss: &impl Fn(&[f64; K]) -> f64) -> ([f64; K], f64) {
    let mut points: Vec<([f64; K], f64)> = Vec::with_capacity(K + 1);
    points.push((start, loss(&start)));
    for i in 0..K {
        let mut x = start;
        x[i] += 0.4;
        points.push((x, loss(&x)));
    }
    for _ in 0..400 * K {
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (low, high) = (points[0].1, points[K].1);
        let spread = (0..K)
            .map(|i| (points[K].0[i] - points[0].0[i]).abs())
            .fold(0.0, f64::max);
        if (high - low).abs() <= 1e-11 * (1.0 + low.abs()) && spread < 1e-6 {
            break;
        }
        let mut centre = [0.0; K];
        for (x, _) in &points[..K] {
            for i in 0..K {
                centre[i] += x[i] / K as f64;
            }
        }
        let along = |t: f64| {
            let mut x = centre;
            for (i, x) in x.iter_mut().enumerate() {
                *x += t * (centre[i] - points[K].0[i]);
            }
            (x, loss(&x))
        };
        let reflected = along(1.0);
        let next = if reflected.1 < low {
            let further = along(2.0);
            if further.1 < reflected.1 {
                further
            } else {
                reflected
            }
        } else if reflected.1 < points[K - 1].1 {
            reflected
        } else {
            let inside = if reflected.1 < high {
                along(0.5)
            } else {
                along(-0.5)
            };
            if inside.1 < high.min(reflected.1) {
                inside
            } else {
                let centre = points[0].0;
                for (x, y) in &mut points[1..] {
                    for i in 0..K {
                        x[i] = centre[i] + 0.5 * (x[i] - centre[i]);
                    }
                    *y = loss(x);
                }
                continue;
            }
        };
        points[K] = next;
    }
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    points[0]
}

/// The step of numerical derivatives, on a log scale.
const STEP: f64 = 1e-4;

/// First derivatives by central differences.
pub(super) fn gradient<const K: usize>(at: &[f64; K], f: impl Fn(&[f64; K]) -> f64) -> [f64; K] {
    let mut out = [0.0; K];
    for i in 0..K {
        let shifted = |by: f64| {
            let mut x = *at;
            x[i] += by;
            f(&x)
        };
        out[i] = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
    }
    out
}

/// The inverse of the matrix of negative second derivatives; `None` where the function is flat in some direction.
#[allow(clippy::needless_range_loop)] // rows and columns of one matrix
pub(super) fn information_inverse<const K: usize>(
    at: &[f64; K],
    f: impl Fn(&[f64; K]) -> f64,
) -> Option<[[f64; K]; K]> {
    let h = 1e-3;
    let mut matrix = [[0.0; K]; K];
    let value = |i: usize, by: f64, j: usize, and: f64| {
        let mut x = *at;
        x[i] += by;
        x[j] += and;
        f(&x)
    };
    for i in 0..K {
        for j in 0..=i {
            let second = (value(i, h, j, h) - value(i, h, j, -h) - value(i, -h, j, h)
                + value(i, -h, j, -h))
                / (4.0 * h * h);
            matrix[i][j] = -second;
            matrix[j][i] = -second;
        }
    }
    invert(matrix)
}

/// By Gauss and Jordan, with the largest pivot first.
#[allow(clippy::needless_range_loop)] // rows and columns of one matrix
fn invert<const K: usize>(mut a: [[f64; K]; K]) -> Option<[[f64; K]; K]> {
    let mut out = [[0.0; K]; K];
    for i in 0..K {
        out[i][i] = 1.0;
    }
    let size = a.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    for column in 0..K {
        let pivot =
            (column..K).max_by(|&x, &y| a[x][column].abs().total_cmp(&a[y][column].abs()))?;
        let largest = a[pivot][column];
        if !largest.is_finite() || largest.abs() <= 1e-10 * size {
            return None;
        }
        a.swap(pivot, column);
        out.swap(pivot, column);
        for j in 0..K {
            a[column][j] /= largest;
            out[column][j] /= largest;
        }
        for row in 0..K {
            let factor = a[row][column];
            if row != column && factor != 0.0 {
                for j in 0..K {
                    a[row][j] -= factor * a[column][j];
                    out[row][j] -= factor * out[column][j];
                }
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_the_top_of_a_bent_ridge() {
        // Rosenbrock's valley, upside down.
        let f = |x: &[f64; 2]| -(1.0 - x[0]).powi(2) - 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let (x, y) = maximum(&[[-1.2, 1.0]], f).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-4 && (x[1] - 1.0).abs() < 1e-4 && y > -1e-8);
        let inverse = information_inverse(&[1.0, 1.0], f).unwrap();
        // The inverse of [[802, -400], [-400, 200]].
        assert!((inverse[0][0] - 0.5).abs() < 1e-3 && (inverse[1][1] - 2.005).abs() < 1e-2);
        assert!(information_inverse(&[0.0, 0.0], |x: &[f64; 2]| -(x[0] + x[1]).powi(2)).is_none());
        assert!(maximum(&[[0.0]], |_: &[f64; 1]| f64::NAN).is_none());
    }
}
