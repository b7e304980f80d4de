-- The messages as they came. The texts are JSON as it stood in the payload; an empty one was not there.
CREATE TABLE raw (seq INTEGER PRIMARY KEY, block INTEGER, arrival INTEGER, ts INTEGER, device TEXT, kind TEXT, v TEXT, c TEXT, b TEXT, s TEXT, m TEXT, h TEXT);
.import --csv raw.csv raw
-- Where numbers are asked for (v, c) nothing else counts; where truth is (b), numbers do.
CREATE TABLE r AS
SELECT seq, block, arrival, ts * 1000000 AS event, device || '/' || kind AS g,
    CASE WHEN v GLOB '[-0-9]*' THEN CAST(v AS REAL) END AS v,
    CASE WHEN c GLOB '[-0-9]*' THEN CAST(c AS REAL) END AS c,
    CASE WHEN b = 'true' THEN 1 WHEN b = 'false' THEN 0 WHEN b GLOB '[-0-9]*' THEN CAST(b AS REAL) <> 0 END AS b,
    NULLIF(NULLIF(s, ''), 'null') AS s, NULLIF(NULLIF(m, ''), 'null') AS m, CAST(h AS INTEGER) AS h
FROM raw ORDER BY seq;
