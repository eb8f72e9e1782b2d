"""Icons as SVG paths on a 24 × 24 grid, drawn for this project; filled shapes, even-odd where they have holes."""

PATHS = {
    "alert": "M12 3 1.5 21h21L12 3zm-1 7h2v5h-2v-5zm0 7h2v2h-2v-2z",
    "calendar": "M7 2h2v2h6V2h2v2h4v18H3V4h4V2zM5 9v11h14V9H5z",
    "chart": "M3 3h2v16h16v2H3V3zm4 12 4-5 3 3 5-7 1.6 1.2-6.4 9-3.1-3.1L8.6 16 7 15z",
    "check": "M9 16.2 4.8 12l-1.4 1.4L9 19 20.6 7.4 19.2 6 9 16.2z",
    "clock": "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16zm1 3v4.6l3.2 3.2-1.4 1.4L11 12.4V7h2z",  # noqa: E501
    "comment": "M3 3h18v14H9l-6 5V3zm2 2v12.7L8.3 15H19V5H5z",
    "deviation": "M12 2 22 12 12 22 2 12 12 2zm0 2.8L4.8 12l7.2 7.2 7.2-7.2L12 4.800zM11 8h2v5h-2V8zm0 6.500h2v2h-2v-2z",  # noqa: E501
    "dot": "M12 7a5 5 0 1 1 0 10 5 5 0 0 1 0-10z",
    "download": "M11 3h2v9l3.500-3.500 1.400 1.400L12 15.800 6.100 9.900l1.400-1.400L11 12V3zM4 18h16v3H4v-3z",
    "emergency": "M10 3h4v7h7v4h-7v7h-4v-7H3v-4h7V3z",
    "half": "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2v14a7 7 0 0 0 0-14z",
    "import": "M11 21h2v-9l3.500 3.500 1.400-1.400L12 8.200l-5.900 5.900 1.400 1.400L11 12v9zM4 3h16v3H4V3z",
    "info": "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1 5v2h2V7h-2zm0 4v6h2v-6h-2z",
    "leave": "M4 3h9v4h-2V5H6v14h5v-2h2v4H4V3zm12 4 5 5-5 5-1.400-1.400L17.200 13H9v-2h8.200l-2.600-2.600L16 7z",
    "list": "M3 5h3v3H3V5zm5 0h13v3H8V5zM3 10.500h3v3H3v-3zm5 0h13v3H8v-3zM3 16h3v3H3v-3zm5 0h13v3H8v-3z",
    "lock": "M12 2a5 5 0 0 1 5 5v3h2v12H5V10h2V7a5 5 0 0 1 5-5zm0 2a3 3 0 0 0-3 3v3h6V7a3 3 0 0 0-3-3z",
    "people": "M9 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zm7 1a3.500 3.500 0 1 1 0 7v-7zM1 21c0-4.500 3.500-7 8-7s8 2.500 8 7H1zm18 0c0-2.700-.8-4.900-2.200-6.700C20.300 14.600 23 17 23 21h-4z",  # noqa: E501
    "query": "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 4a4 4 0 0 0-4 4h2a2 2 0 1 1 3 1.700c-1.300.8-2 1.600-2 3.300h2c0-.9.3-1.200 1.200-1.800A4 4 0 0 0 12 6zm-1 11v2h2v-2h-2z",  # noqa: E501
    "ring": "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zm0 2a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
    "safety": "M12 2 3 6v6c0 5 3.800 8.700 9 10 5.200-1.300 9-5 9-10V6l-9-4zm-1 5h2v4h4v2h-4v4h-2v-4H7v-2h4V7z",
    "site": "M4 21V5l8-3 8 3v16h-6v-5h-4v5H4zm4-13h2v2H8V8zm6 0h2v2h-2V8zm-6 4h2v2H8v-2zm6 0h2v2h-2v-2z",
    "tasks": "M4 4h16v16H4V4zm2 2v12h12V6H6zm4.800 8.200 5-5 1.400 1.400-6.400 6.400-3.200-3.200L9 12.400l1.800 1.800z",  # noqa: E501
    "unblinded": "M12 5c5 0 9 3 11 7-2 4-6 7-11 7S3 16 1 12c2-4 6-7 11-7zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
    "vial": "M8 2h8v2h-1v15a3 3 0 0 1-6 0V4H8V2zm3 2v6h2V4h-2z",
}  # fmt: skip
"""Icon name → path."""
