"""Periodic cells by scikit-fem, bilinear squares; no benchmark of its own."""

import numpy as np


class Cell:
    """The mesh of an image of squares, its parameters by element, and the ties of opposite sides."""

    def __init__(self, shape: tuple[int, int], element):
        from scipy import sparse
        from skfem import Basis, ElementQuad0, MeshQuad

        ny, nx = shape
        mesh = MeshQuad.init_tensor(np.arange(nx + 1.0), np.arange(ny + 1.0))
        self.basis = Basis(mesh, element)
        self.flat = self.basis.with_element(ElementQuad0())
        self.at = tuple(np.floor(mesh.p[:, mesh.t].mean(axis=1)).astype(int))[::-1]
        count = self.basis.nodal_dofs.shape[0]
        nodes = (mesh.p[0].astype(int) % nx) + nx * (mesh.p[1].astype(int) % ny)
        columns = np.zeros(self.basis.N, int)
        for component in range(count):
            columns[self.basis.nodal_dofs[component]] = component + count * nodes
        self.tie = sparse.csr_matrix((np.ones(self.basis.N), (np.arange(self.basis.N), columns)))
        self.fixed = count  # unknowns of one node

    def parameter(self, values: np.ndarray):
        """Return a value of every pixel as a field of the mesh."""
        return self.flat.interpolate(values[self.at].astype(float))

    def solved(self, matrix, load) -> np.ndarray:
        """Solve with opposite sides tied, and one node fixed."""
        from scipy.sparse import linalg

        small, right = (self.tie.T @ matrix @ self.tie).tocsc()[self.fixed :, self.fixed :], (self.tie.T @ load)
        return self.tie @ np.concatenate([np.zeros(self.fixed), linalg.spsolve(small, right[self.fixed :])])


def conduction(conductivity: np.ndarray, mean: tuple[float, float]) -> np.ndarray:
    """Return the mean flux (x, y) of a periodic image under a mean gradient (x, y)."""
    from skfem import BilinearForm, ElementQuad1, Functional, LinearForm
    from skfem.helpers import dot, grad

    cell = Cell(conductivity.shape, ElementQuad1())
    k = cell.parameter(conductivity)
    matrix = BilinearForm(lambda u, v, w: w.k * dot(grad(u), grad(v))).assemble(cell.basis, k=k)
    load = LinearForm(lambda v, w: -w.k * (mean[0] * grad(v)[0] + mean[1] * grad(v)[1])).assemble(cell.basis, k=k)
    u = cell.basis.interpolate(cell.solved(matrix, load))
    parts = [Functional(lambda w, a=a: w.k * (w.u.grad[a] + mean[a])).assemble(cell.basis, k=k, u=u) for a in (0, 1)]
    return np.array(parts) / conductivity.size


def elasticity(first: np.ndarray, mu: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the mean stress (x, y), (x, y) of a periodic image in plane strain under a mean strain of that order."""
    from skfem import BilinearForm, ElementQuad1, ElementVector, Functional, LinearForm
    from skfem.helpers import ddot, sym_grad, trace

    cell = Cell(first.shape, ElementVector(ElementQuad1()))
    given = {"a": cell.parameter(first), "b": cell.parameter(mu)}

    def of(strain, w):
        return w.a * trace(strain) * np.eye(2)[:, :, None, None] + 2 * w.b * strain

    whole = np.asarray(mean, float)[:, :, None, None]
    matrix = BilinearForm(lambda u, v, w: ddot(of(sym_grad(u), w), sym_grad(v))).assemble(cell.basis, **given)
    load = LinearForm(lambda v, w: -ddot(of(whole + 0 * sym_grad(v), w), sym_grad(v))).assemble(cell.basis, **given)
    given["u"] = cell.basis.interpolate(cell.solved(matrix, load))
    stress = [
        [
            Functional(lambda w, i=i, j=j: of(whole + sym_grad(w.u), w)[i, j]).assemble(cell.basis, **given)
            for j in (0, 1)
        ]
        for i in (0, 1)
    ]
    return np.array(stress) / first.size
