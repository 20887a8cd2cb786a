"""Minutes of visitors while Instagram and the store fail by turns: shorter tests show no leaks and no lost requests.

The app runs under gunicorn with the shipped configuration between the two fakes. Its workers are replaced under load
several times and ended under load at last. Everything is on 127.0.0.1, bounded in rate and time, and stops by itself.
Run `python -m lab.soak --seconds 180`: it prints a table, and ends with 1 if a claim does not hold.
"""
