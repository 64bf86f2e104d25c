"""Sixteen distances relaxed by one vector instruction, which loops over arrays do not become by themselves.

The distances of a cell for sixteen targets lie side by side; a step costs all of them the same. The compiler cannot
know that the cells of one array do not overlap, and would compare addresses for each cell or give up. Here the
vector operations are written down, in LLVM's terms, for any processor: two registers of AVX2, one of AVX-512, four
of NEON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

if TYPE_CHECKING:
    from collections.abc import Callable

#: Targets that are relaxed together.
LANES = 16

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_UNKNOWN = ir.Constant(_VECTOR, ir.Undefined)


def _relaxation(ways: int) -> Callable[..., Any]:
    """Code that takes the smallest of a cell's distances and those over `ways` other cells.

    Its arguments are the flat array, where the cell's lanes begin, where those of the others begin, and what the
    steps from them cost. It returns a bit for each lane that fell.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array: Any = make_array  # numba ships no type for it
        data = array(signature.args[0])(context, builder, arguments[0]).data

        def lanes_at(position: Any) -> Any:
            return builder.bitcast(builder.gep(data, [position]), ir.PointerType(_VECTOR))

        here = lanes_at(arguments[1])
        before = builder.load(here, align=4)
        smallest = before
        for way in range(ways):
            over = builder.load(lanes_at(arguments[2 + way]), align=4)
            first = builder.insert_element(_UNKNOWN, arguments[2 + ways + way], ir.Constant(ir.IntType(32), 0))
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            reached = builder.fadd(over, builder.shuffle_vector(first, _UNKNOWN, everywhere))
            smallest = builder.select(builder.fcmp_ordered("<", reached, smallest), reached, smallest)
        builder.store(smallest, here, align=4)
        fell = builder.fcmp_ordered("<", smallest, before)
        return builder.zext(builder.bitcast(fell, ir.IntType(LANES)), ir.IntType(64))

    return generate


def _relax_one(typing_context: Any, lanes: Any, here: Any, over: Any, cost: Any) -> Any:
    """Type and code of `relax_one`."""
    return types.int64(lanes, types.int64, types.int64, types.float32), _relaxation(1)


def _relax_four(
    typing_context: Any,
    lanes: Any,
    here: Any,
    a: Any,
    b: Any,
    c: Any,
    d: Any,
    to_a: Any,
    to_b: Any,
    to_c: Any,
    to_d: Any,
) -> Any:
    """Type and code of `relax_four`."""
    return types.int64(lanes, *[types.int64] * 5, *[types.float32] * 4), _relaxation(4)


#: Relax one cell over one neighbour: (lanes, here, over, cost) to int64 with a bit for each lane that fell.
relax_one: Any = intrinsic(_relax_one)

#: Relax one cell over four neighbours: (lanes, here, a, b, c, d, cost of the step from a, ... b, ... c, ... d).
relax_four: Any = intrinsic(_relax_four)
