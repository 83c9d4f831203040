"""The products of the tracker and the codes its search form has for them."""

from __future__ import annotations

from typing import Final

PRODUCTS: Final[dict[str, str]] = {
    "OpenFrame AIM": "128",
    "OpenFrame ASM": "520",
    "OpenFrame Base": "129",
    "OpenFrame Batch": "123",
    "OpenFrame COBOL": "500",
    "OpenFrame Common": "137",
    "OpenFrame GW": "141",
    "OpenFrame HiDB": "126",
    "OpenFrame ISPF": "147",
    "OpenFrame Manager": "145",
    "OpenFrame Map GUI Editor": "135",
    "OpenFrame Miner": "143",
    "OpenFrame OSC": "138",
    "OpenFrame OSI": "134",
    "OpenFrame OpenStudio Web": "142",
    "OpenFrame PLI": "510",
    "OpenFrame Studio": "127",
    "OpenFrame TACF": "124",
    "ProSort": "640",
    "ProTrieve": "425",
    "Tibero": "070",
}
