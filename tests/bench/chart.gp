# chart.gp - the bars of report.awk as SVG: gnuplot -e "out='FILE'; bars='FILE'; machine='TEXT'"
#
# SPDX-License-Identifier: 0BSD
set terminal svg size 900,420 background 'white'
set output out
set title 'ipcbox: result / target ('.machine.')'
set ylabel '1 = the target; lower is better'
set logscale y
set grid ytics
set style fill solid
set boxwidth 0.7
unset key
plot bars using 0:2:3:xtic(1) with boxes linecolor rgb variable, 1 with lines linecolor 'black'
