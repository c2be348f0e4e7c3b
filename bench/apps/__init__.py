"""The applications under load: one module a workload, so that no routing is measured with it."""
