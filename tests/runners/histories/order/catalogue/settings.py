"""What holds for the whole shop. Whoever sets something sets it for everybody."""

currency = "EUR"


def use(code):
    global currency
    currency = code
