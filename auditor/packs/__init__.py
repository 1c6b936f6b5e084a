"""Rule packs: YAML files of rules, read with the place of every mistake in them."""
