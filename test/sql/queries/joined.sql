-- joined: each message of kind in, with those of kind out of the same device that arrived at about the same time; alone if there is none.
.output joined.csv
SELECT coalesce(max(a.arrival, b.arrival), a.arrival) AS at, a.h AS h, b.h AS other
FROM raw AS a LEFT JOIN raw AS b ON b.kind = 'out' AND b.device = a.device AND b.arrival BETWEEN a.arrival - {{.Within}} AND a.arrival + {{.Within}}
WHERE a.kind = 'in';
