-- Quantiles by rank: the number at rank q·(n−1), counted from 0.
.output quantiles.csv
WITH ranked AS (SELECT w, e, g, v, row_number() OVER (PARTITION BY w, e, g ORDER BY v) - 1 AS i, count(*) OVER (PARTITION BY w, e, g) - 1 AS top FROM x WHERE v IS NOT NULL)
SELECT w, e, g{{range .Quantiles}}, max(CASE WHEN i = CAST({{.Share}} * top AS INTEGER) THEN v END) AS {{.Name}}{{end}} FROM ranked GROUP BY w, e, g;
