"""Providers that nobody has to pay for. They judge every request by the vendor's own types, and answer in its shapes."""
