"""Everything that knows Airflow: what wakes it, what its tasks do, what is retried, and what the operator reads.

An event only wakes us; the unit of work is what `journey.sweep` lists. A task passes ids and refusals, nothing else, and
imports the journey when it runs: the DAG processor and the triggerer stay light.
"""
