"""What a hostile client sends where a signature is named, and which models are signed."""

#: What a client may send instead of the name of a signature.
HOSTILE = ('', None, 5, True, [], {}, ['submit'], 'a\0b', '\ud800', '__class__', 'Submit', 'submit ', 'x' * 10_000)


def signing_models(env):
    """Return the models that are signed, by name."""
    mixin = env.registry['mrp.esignature.mixin']
    return {name: env[name] for name, model in sorted(env.registry.items())
            if issubclass(model, mixin) and not model._abstract}
