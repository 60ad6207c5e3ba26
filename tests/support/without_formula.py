"""Public names, or classes, without a formula in the rooms that hold results, each with the reason."""

PICTURES = "is a picture"
SIMULATED = "is drawn at random"
DATA = "is a statistic of data, or read off another result"
ERROR = "is an error bar or a test of an estimate, which data decide"
MODEL = "makes, takes apart or describes an object"
WORK = "organises the work of a sampler"
NUMERICAL = "is a numerical solution, of any function or any size"
ITERATED = "repeats a map that is in the table"
DEFINITION = "is a definition, not a result"
ELSEWHERE = "is in the table under another name that computes the same"

WITHOUT = {
    PICTURES: """
        activation.BetaBernoulli.plot activation.Comparison.plot activation.Fit.plot activation.Paths.plot
        activation.Rarefaction.plot interaction.BinaryNeurons.graph interaction.BinaryNeurons.plot
        interaction.DynamicNeurons.graph interaction.DynamicNeurons.plot measure.graph.Strength.plot
        measure.growth.Growth.plot measure.spikes.SpikeStatistics.plot measure.basins.Basin.plot
        measure.order.RankProbability.plot rg.Collapse.plot rg.Flow.plot rg.LinearisedFlow.plot
        rg.PhaseDiagram.plot rg.Placement.plot rg.Placement.plot_signals measure.correlation.Correlation.plot
        measure.spikes.FitTest.plot measure.tangent.TangentKernel.plot rg.FiniteWidth.plot rg.FixedFunction.plot
        rg.Signals.plot rg.Spectrum.plot rg.StationaryLaw.plot
    """,
    SIMULATED: """
        activation.BetaBernoulli.simulate montecarlo.sample montecarlo.stream rg.LinearLayer.simulate
        rg.NoisyLayer.simulate rg.RandomLayer.simulate rg.RepeatedLayer.simulate rg.sample_flow
    """,
    DATA: """
        activation.Comparison.best activation.Comparison.weights activation.Fit.b activation.Fit.c activation.Fit.aic
        activation.Fit.converged activation.Fit.message activation.Fit.statistic activation.compare activation.fit
        measure.graph.layer_fluctuation measure.graph.node_strength measure.growth.Growth.active_share
        measure.growth.Growth.silent measure.growth.Growth.units measure.growth.Growth.working
        measure.growth.from_active_samples measure.growth.layer measure.growth.layers measure.spikes.Accumulator.result
        measure.spikes.Accumulator.samples measure.spikes.Accumulator.update measure.spikes.FitTest.tested
        measure.spikes.SpikeStatistics.fano_variance measure.spikes.SpikeStatistics.mean_fano_factor
        measure.spikes.SpikeStatistics.mean_null_fano_factor measure.spikes.SpikeStatistics.mean_rate
        measure.spikes.SpikeStatistics.mean_working_rate measure.spikes.SpikeStatistics.rate_variance
        measure.spikes.SpikeStatistics.samples measure.spikes.SpikeStatistics.silent
        measure.spikes.SpikeStatistics.silent_units measure.spikes.SpikeStatistics.units
        measure.spikes.from_window_counts measure.spikes.statistics measure.basins.Basin.by_class
        measure.basins.Basin.infinite measure.basins.Basin.median measure.correlation.Correlation.mean
        measure.correlation.Correlation.mean_absolute measure.correlation.Correlation.mean_square
        measure.correlation.neuronal_correlation measure.order.PairOrder.tau measure.order.group_order
        measure.order.l_map measure.order.l_map_accuracy measure.order.unit_order measure.tangent.TangentKernel.trace
        rg.Collapse.quality rg.Collapse.scaled rg.CriticalCoupling.coupling rg.LinearisedFlow.magnetic
        rg.LinearisedFlow.matrix rg.LinearisedFlow.mean rg.LinearisedFlow.thermal rg.LinearisedFlow.y_h
        rg.LinearisedFlow.y_t rg.Signals.correlation rg.block_means rg.block_spins rg.collapse rg.critical_coupling
        rg.decimate rg.place
    """,
    ERROR: """
        activation.Comparison.p_values activation.Fit.b_error activation.Fit.c_error activation.Fit.interval
        activation.Fit.p_error activation.Fit.p_value activation.Fit.predict measure.growth.Growth.p_values
        measure.spikes.FitTest.adjusted measure.spikes.FitTest.rejected rg.CriticalCoupling.error
        rg.LinearisedFlow.magnetic_error rg.LinearisedFlow.thermal_error rg.LinearisedFlow.y_h_error
        rg.LinearisedFlow.y_t_error
    """,
    MODEL: """
        activation.BetaBernoulli.limit activation.GammaPoisson.limit activation.checkpoints
        interaction.BinaryNeurons.at interaction.BinaryNeurons.colours interaction.BinaryNeurons.couplings
        interaction.BinaryNeurons.from_network interaction.BinaryNeurons.layers interaction.BinaryNeurons.size
        interaction.BinaryNeurons.states interaction.DynamicNeurons.check_smooth
        interaction.DynamicNeurons.deterministic interaction.DynamicNeurons.dimension
        interaction.DynamicNeurons.in_doubles interaction.DynamicNeurons.pack interaction.DynamicNeurons.samples
        interaction.DynamicNeurons.shapes interaction.DynamicNeurons.states interaction.DynamicNeurons.unpack
        interaction.TranslationSymmetry.cell
        interaction.TranslationSymmetry.layers interaction.TranslationSymmetry.repeats interaction.square_lattice
        interaction.translation_symmetry rg.BinaryLayer.fixed_points rg.BinaryLayer.neurons rg.BinaryLayer.shape
        rg.BinaryLayer.transfer rg.FixedFunction.fixed_points rg.FixedFunction.scaling_fields rg.FixedPoint.exists
        rg.LayerPlace.layer rg.LeadingForm.fixed_function rg.LinearLayer.fixed_points rg.LinearLayer.regime
        rg.LinearLayer.shape rg.LinearisedFlow.b rg.LinearisedFlow.even rg.LinearisedFlow.odd
        rg.LinearisedFlow.operators rg.LinearisedFlow.shapes rg.NoisyLayer.coarse rg.NoisyLayer.fixed_points
        rg.NoisyLayer.mean rg.NoisyLayer.operator rg.Operator.clusters rg.Operator.dimension rg.Operator.even
        rg.RandomStack.depth rg.RepeatedLayer.sigma rg.TransferMatrix.shape rg.operators
    """,
    WORK: """
        montecarlo.Method.* montecarlo.Run.* montecarlo.Walkers.*
    """,
    NUMERICAL: """
        activation.fit_errors
        measure.basins.weight_basin rg.NoisyLayer.compose rg.NoisyLayer.correlation_length rg.NoisyLayer.power
        rg.NoisyLayer.spectrum rg.NoisyLayer.stationary rg.RandomLayer.branches rg.RandomLayer.fixed_points
        rg.RepeatedLayer.depth rg.RepeatedLayer.layers rg.RepeatedLayer.leading_form rg.RepeatedLayer.rest_points
        rg.RepeatedLayer.signal rg.StationaryLaw.mean rg.StationaryLaw.moment rg.StationaryLaw.variance
        rg.TransferMatrix.compose rg.TransferMatrix.correlation_length rg.TransferMatrix.power rg.TransferMatrix.project
        rg.TransferMatrix.spectrum rg.TransferOperator.compose rg.TransferOperator.correlation_length
        rg.TransferOperator.moments rg.TransferOperator.power rg.TransferOperator.propagate
        rg.TransferOperator.spectrum rg.TransferOperator.stationary rg.exponents rg.fixed_points rg.phase_diagram
        rg.renormalise rg.transition
    """,
    ITERATED: """
        rg.BinaryLayer.flow rg.LinearLayer.flow rg.RandomLayer.compose rg.RandomLayer.power rg.RandomStack.compose
        rg.RandomStack.correlation_map rg.RandomStack.power rg.RandomStack.trajectory rg.RandomStack.variance_map
        rg.RenormalisedLayer.distance rg.RepeatedLayer.iterate rg.flow
    """,
    DEFINITION: """
        activation.GammaPoisson.limit_error_bound interaction.BinaryNeurons.energy rg.LinearLayer.radius
        rg.RepeatedLayer.critical rg.Spectrum.correlation_length
    """,
    ELSEWHERE: """
        measure.order.pooled_ranks measure.spikes.SpikeStatistics.independent_fano_factor rg.Placement.xi_predicted
        rg.RandomLayer.correlation_length rg.ScalingField.eigenvalue
    """,
}
