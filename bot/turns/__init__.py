"""The life of a turn: journal, schedule, worker, delivery, notices."""
