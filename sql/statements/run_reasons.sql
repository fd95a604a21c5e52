-- The causes or reasons for which run ?1 settled requests as ?2, the most frequent first.
SELECT reason, count(*) AS requests
FROM attempt
WHERE run = ?1 AND outcome = ?2
GROUP BY reason
ORDER BY requests DESC, reason
