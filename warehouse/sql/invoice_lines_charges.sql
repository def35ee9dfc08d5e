SELECT *
FROM $item_lines
