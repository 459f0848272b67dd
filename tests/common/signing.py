"""What a hostile client sends where a signature is named, and which models are signed."""

from dataclasses import replace
from unittest.mock import patch

#: What a client may send instead of the name of a signature.
HOSTILE = ('', None, 5, True, [], {}, ['submit'], 'a\0b', '\ud800', '__class__', 'Submit', 'submit ', 'x' * 10_000)


def at_any_terminal(env, name, *actions):
    """Let records of a model be signed at the terminal of a colleague, for tests of what holds there: a patcher."""
    rules = env.registry[name]._signing_actions
    return patch.dict(rules, {action: replace(rules[action], at_terminal=True) for action in actions})


def signing_models(env):
    """Return the models that are signed, by name."""
    mixin = env.registry['mrp.esignature.mixin']
    return {name: env[name] for name, model in sorted(env.registry.items())
            if issubclass(model, mixin) and not model._abstract}
