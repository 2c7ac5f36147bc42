"""A question put to a model: frozen request in, frozen result out, pure."""
