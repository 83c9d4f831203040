"""The pages of the IMS tracker, read without network and without clock."""

from crawler.sources.ims.parse.issue import parse_issue
from crawler.sources.ims.parse.listing import Listing, parse_list
from crawler.sources.ims.parse.login import Account, is_login_page, parse_account, refusal_in
from crawler.sources.ims.parse.products import Product, find_products, parse_products
from crawler.sources.ims.parse.relations import issue_number_in, patch_arguments
from crawler.sources.ims.query import render

__all__ = [
    "Account",
    "Listing",
    "Product",
    "find_products",
    "is_login_page",
    "issue_number_in",
    "parse_account",
    "parse_issue",
    "parse_list",
    "parse_products",
    "patch_arguments",
    "refusal_in",
    "render",
]
