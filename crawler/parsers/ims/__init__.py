"""The pages of the IMS tracker, read without network and without clock."""

from crawler.parsers.ims.issue import parse_issue
from crawler.parsers.ims.listing import Listing, parse_list
from crawler.parsers.ims.login import Account, is_login_page, parse_account, refusal_in
from crawler.parsers.ims.products import Product, find_products, parse_products
from crawler.parsers.ims.query import render
from crawler.parsers.ims.relations import issue_number_in, patch_arguments

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
