# Stand-in for prom/prometheus, with its user and entry point.
FROM hairpin-test/bookworm
COPY usr/bin/prometheus usr/bin/promtool /bin/
COPY bin/busybox /bin/busybox
RUN ln -s /bin/busybox /usr/bin/wget \
 && mkdir -p /prometheus /etc/prometheus \
 && chown 65534:65534 /prometheus
USER 65534
EXPOSE 9090
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
