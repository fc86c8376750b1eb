"""The agents: what the budget buys. They ask the gate, and see providers and GitHub only through their interfaces."""
